-- Add messages that change no state, and keep the newest of them in the record, if the token is the newest.
-- KEYS: record, stream
-- ARGV: token, stream limit, number of field words, then those names and values, then the messages
local record, stream = unpack(KEYS)
local token, limit, words = unpack(ARGV)

local state, newest, attempt, wish = unpack(redis.call('HMGET', record, 'state', 'token', 'attempt', 'wish'))
if not state then return { 'unknown' } end
if newest ~= token or CLOSED[state] then return { 'superseded' } end
local first = 4 + tonumber(words)
if first > 4 then redis.call('HSET', record, unpack(ARGV, 4, first - 1)) end
for i = first, #ARGV do say(stream, limit, attempt, ARGV[i]) end
return { 'ok', wish or '' }
