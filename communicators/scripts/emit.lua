-- Add messages that change no state, and keep the newest of them in the record, if the token is the newest.
-- Told a batch again, because the answer was lost, it gives the answer and does no more.
-- KEYS: record, stream
-- ARGV: token, stream limit, the batch's name ('': none), number of field words, then those names and values, then the messages
local record, stream = unpack(KEYS)
local token, limit, batch, words = unpack(ARGV)

local state, newest, attempt, wish, sent, again, emitted =
  unpack(redis.call('HMGET', record, 'state', 'token', 'attempt', 'wish', 'sent', 'cancelled_again', 'emitted'))
if not state then return { 'unknown' } end
if newest ~= token or CLOSED[state] then return { 'superseded' } end
if #ARGV == 4 or (batch ~= '' and emitted == batch) then return { 'ok', wish or '', sent or '0', again or '0' } end
local first = 5 + tonumber(words)
redis.call('HSET', record, 'emitted', batch, unpack(ARGV, 5, first - 1))
for i = first, #ARGV do say(stream, limit, attempt, ARGV[i]) end
return { 'ok', wish or '', sent or '0', again or '0' }
