-- Move a job to another state together with its message, if the token is the newest and the state machine has the arrow.
-- Asking again after success changes nothing.
-- KEYS: record, stream, open
-- ARGV: id, token (empty: nobody owns the job yet), target, sources, message, stream limit,
--       pause ms before a queued job is published again, retention ms for a closed one,
--       name of the time field or '', then names and values of fields
local record, stream, open = unpack(KEYS)
local id, token, target, sources, message, limit, pause, retention, time_field = unpack(ARGV)

local state, newest, attempt, inboxes, wish, sent, again =
  unpack(redis.call('HMGET', record, 'state', 'token', 'attempt', 'inboxes', 'wish', 'sent', 'cancelled_again'))
if not state then return { 'unknown' } end
if token ~= '' and newest ~= token then return { 'superseded' } end
if state == target then return { 'ok', wish or '', sent or '0', again or '0' } end
if not string.find(sources, ' ' .. state .. ' ', 1, true) then return { 'illegal', state } end
local at = say(stream, limit, attempt or 0, message)
local fields = { 'state', target }
if time_field ~= '' then fields[3], fields[4] = time_field, at end
for i = 10, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('HSET', record, unpack(fields))
if target == 'queued' then release(record, open, id, newest, at + pause) end
if CLOSED[target] then close(record, stream, open, id, target, retention, inboxes) end
return { 'ok', wish or '', sent or '0', again or '0' }
