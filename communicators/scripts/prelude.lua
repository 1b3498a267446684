-- Put before every other script. All times are the server's, in milliseconds: the first part of a stream entry's id.

-- Add one message to a job's stream and return the time.
local function say(stream, limit, attempt, message)
  local entry = redis.call('XADD', stream, 'MAXLEN', '~', limit, '*', 'attempt', attempt, 'json', message)
  return string.match(entry, '^%d+')
end

-- Take a job from whoever holds it: its token is void, and it is published again once `due`.
local function release(record, open, id, token, due)
  redis.call('HSET', record, 'token', tonumber(token or 0) + 1, 'claim', '')
  redis.call('ZADD', open, due, id)
end

-- Take a job that has just got its terminal state out of the open ones, let it expire, and tell those who wait for it.
local function close(record, stream, open, id, state, retention, inboxes)
  redis.call('ZREM', open, id)
  redis.call('HDEL', record, 'raw')
  redis.call('PEXPIRE', record, retention)
  redis.call('PEXPIRE', stream, retention)
  for inbox in string.gmatch(inboxes or '', '%S+') do
    redis.call('XADD', inbox, 'NOMKSTREAM', '*', 'job', id, 'state', state)
  end
end

local CLOSED = { succeeded = true, failed = true, timed_out = true, cancelled = true, lost = true }
