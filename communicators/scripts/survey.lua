-- Count a page of the jobs, oldest first: by state, the queued ones by queue, the claimed ones by worker.
-- Answers the time of submission after which to go on, empty behind the last page, and the counts.
-- KEYS: jobs
-- ARGV: record prefix, how many, the time of submission after which to begin (a score as ZRANGEBYSCORE takes it)
local jobs = KEYS[1]
local prefix, many, after = unpack(ARGV)

-- A page ends with all jobs of its last millisecond, so that none is counted twice or not at all.
local last = redis.call('ZRANGEBYSCORE', jobs, after, '+inf', 'WITHSCORES', 'LIMIT', many - 1, 1)[2]
local states, queued, running = {}, {}, {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', jobs, after, last or '+inf')) do
  local state, queue, worker = unpack(redis.call('HMGET', prefix .. id, 'state', 'queue', 'worker'))
  if state then  -- else its record has expired
    states[state] = (states[state] or 0) + 1
    if state == 'queued' then
      queued[queue or ''] = (queued[queue or ''] or 0) + 1
    elseif not CLOSED[state] then
      running[worker or ''] = (running[worker or ''] or 0) + 1
    end
  end
end
return { last and '(' .. last or '', cjson.encode({ states = states, queued = queued, running = running }) }
