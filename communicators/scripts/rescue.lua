-- The queue is empty: make queued jobs due whose message must have been lost on the way, for they have waited long.
-- KEYS: open
-- ARGV: record prefix, how many, queue, ms that a message may be out of the queue
local open = KEYS[1]
local prefix, many, queue, age = unpack(ARGV)
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local rescued = 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', open, -(now - age), '(0', 'LIMIT', 0, many)) do
  local state, waits_in = unpack(redis.call('HMGET', prefix .. id, 'state', 'queue'))
  if state == 'queued' and waits_in == queue then
    redis.call('ZADD', open, 'XX', now, id)
    rescued = rescued + 1
  end
end
return rescued
