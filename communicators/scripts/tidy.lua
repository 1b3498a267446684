-- Time out queued jobs that waited longer than they may, and take ids without a record out of the index.
-- KEYS: open, jobs, deadlines
-- ARGV: record prefix, how many, stream limit, retention ms, terminal message, outcome
local open, jobs, deadlines = unpack(KEYS)
local prefix, many, limit, retention, message, outcome = unpack(ARGV)
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

for _, id in ipairs(redis.call('ZRANGEBYSCORE', deadlines, '-inf', now, 'LIMIT', 0, many)) do
  local record = prefix .. id
  redis.call('ZREM', deadlines, id)
  local state, attempt, inboxes, deadline = unpack(redis.call('HMGET', record, 'state', 'attempt', 'inboxes', 'queue_deadline'))
  if state == 'queued' and deadline then  -- a claim takes the deadline away
    local stream = record .. ':messages'
    local at = say(stream, limit, attempt or 0, message)
    redis.call('HSET', record, 'state', 'timed_out', 'ended_at', at, 'outcome', outcome)
    close(record, stream, open, id, 'timed_out', retention, inboxes)
  end
end
local gone = {}
for _, id in ipairs(redis.call('ZRANGE', jobs, 0, many - 1)) do
  if redis.call('EXISTS', prefix .. id) == 0 then gone[#gone + 1] = id end
end
if #gone > 0 then redis.call('ZREM', jobs, unpack(gone)) end
return #gone
