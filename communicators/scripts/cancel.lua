-- Close a queued job as cancelled; of a claimed one, set the durable flag and wake its Executor.
-- KEYS: record, stream, open
-- ARGV: id, terminal message, outcome, stream limit, retention ms, wake-up channel
local record, stream, open = unpack(KEYS)
local id, message, outcome, limit, retention, channel = unpack(ARGV)

local state, attempt, inboxes = unpack(redis.call('HMGET', record, 'state', 'attempt', 'inboxes'))
if not state then return { 'unknown' } end
if CLOSED[state] then return { 'closed', state } end
if state ~= 'queued' then
  redis.call('HSET', record, 'cancel_requested', 'true')
  redis.call('PUBLISH', channel, id)
  return { 'requested', state }
end
local at = say(stream, limit, attempt or 0, message)
redis.call('HSET', record, 'state', 'cancelled', 'ended_at', at, 'outcome', outcome)
close(record, stream, open, id, 'cancelled', retention, inboxes)
return { 'closed', 'cancelled' }
