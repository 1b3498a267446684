-- Have the end of each job told to an inbox. Answers at once, id and state in turn, for jobs that have ended
-- (`unknown` for those without a record).
-- KEYS: inbox, records ...
-- ARGV: seconds that the inbox may stay unread, ids ...
local inbox = KEYS[1]
redis.call('XADD', inbox, 'MAXLEN', 100000, '*', 'job', '', 'state', 'watching')
redis.call('EXPIRE', inbox, ARGV[1])
local ended = {}
for i = 2, #KEYS do
  local state, inboxes = unpack(redis.call('HMGET', KEYS[i], 'state', 'inboxes'))
  if not state or CLOSED[state] then
    ended[#ended + 1] = ARGV[i]
    ended[#ended + 1] = state or 'unknown'
  elseif not string.find(inboxes or '', inbox, 1, true) then
    redis.call('HSET', KEYS[i], 'inboxes', (inboxes and inboxes .. ' ' or '') .. inbox)
  end
end
return ended
