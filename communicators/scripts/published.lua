-- Note that a job's message is in the queue again, unless somebody has claimed it already.
-- KEYS: record, open
-- ARGV: id
local record, open = unpack(KEYS)
local clock = redis.call('TIME')
if redis.call('HGET', record, 'state') == 'queued' then
  redis.call('ZADD', open, 'XX', -(clock[1] * 1000 + math.floor(clock[2] / 1000)), ARGV[1])
end
