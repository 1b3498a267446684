-- Note what somebody wants of a job's Executor, durably, and wake it. Of a queued job, only its end can be had: at once.
-- KEYS: record, stream, open
-- ARGV: id, wish (cancel, pause, or empty to resume), terminal message, outcome, stream limit, retention ms, wake-up channel
local record, stream, open = unpack(KEYS)
local id, wish, message, outcome, limit, retention, channel = unpack(ARGV)

local state, attempt, inboxes, before = unpack(redis.call('HMGET', record, 'state', 'attempt', 'inboxes', 'wish'))
if not state then return { 'unknown' } end
if CLOSED[state] then return { 'closed', state } end
if state ~= 'queued' then
  if before ~= 'cancel' then redis.call('HSET', record, 'wish', wish)
  elseif wish == 'cancel' then redis.call('HINCRBY', record, 'cancelled_again', 1) end
  redis.call('PUBLISH', channel, id)
  return { 'requested', state }
end
if wish ~= 'cancel' then return { 'illegal', state } end
local at = say(stream, limit, attempt or 0, message)
redis.call('HSET', record, 'state', 'cancelled', 'ended_at', at, 'outcome', outcome)
close(record, stream, open, id, 'cancelled', retention, inboxes)
return { 'closed', 'cancelled' }
