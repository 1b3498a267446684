-- Move a job to another state together with its message, if the token is the newest and the state machine has the arrow.
-- Asking again after success changes nothing.
-- KEYS: record, stream, open
-- ARGV: id, token (empty: nobody owns the job yet), target, sources, message, stream limit,
--       retention ms (0: the target is not terminal), name of the time field or '', then names and values of fields
local record, stream, open = unpack(KEYS)
local id, token, target, sources, message, limit, retention, time_field = unpack(ARGV)

local state, newest, attempt, inboxes, cancel =
  unpack(redis.call('HMGET', record, 'state', 'token', 'attempt', 'inboxes', 'cancel_requested'))
if not state then return { 'unknown' } end
if token ~= '' and newest ~= token then return { 'superseded' } end
if state == target then return { 'ok', cancel or '' } end
if not string.find(sources, ' ' .. state .. ' ', 1, true) then return { 'illegal', state } end
local at = say(stream, limit, attempt or 0, message)
local fields = { 'state', target }
if time_field ~= '' then fields[3], fields[4] = time_field, at end
for i = 9, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('HSET', record, unpack(fields))
if tonumber(retention) > 0 then close(record, stream, open, id, target, retention, inboxes) end
return { 'ok', cancel or '' }
