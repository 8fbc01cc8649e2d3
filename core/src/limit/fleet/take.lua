-- Takes all rules of an attempt, or none. KEYS: one of each rule, two of a budget. ARGV: id, number of
-- rules, then of each rule: kind, x, y, z. Returns {1, second, 0}, or {0, wait in µs, rule}. The wait is
-- -1 where nobody knows it, and -2 at a budget. Times are the server's, in µs.
local t = redis.call('TIME'); local now = t[1] * 1000000 + t[2]
local id, todo, wait, what, k, a = ARGV[1], {}, 0, 0, 1, 3
local function blocked(us, i) if us > wait or what == 0 then wait, what = us, i end end
for i = 1, tonumber(ARGV[2]) do
  local kind, key = ARGV[a], KEYS[k]; k = k + 1
  local x, y, z = tonumber(ARGV[a+1]), tonumber(ARGV[a+2]), tonumber(ARGV[a+3]); a = a + 4
  if kind == 'p' then                       -- a pause that a provider asked for
    local till = tonumber(redis.call('GET', key) or 0)
    if till > now then blocked(till - now, i) end
  elseif kind == 'r' then                   -- requests: x interval, y tolerance
    local even = math.max(tonumber(redis.call('GET', key) or 0), now)
    if even - y > now then blocked(even - y - now, i) else todo[#todo+1] = {kind, key, even + x} end
  elseif kind == 't' then                   -- tokens: x quota, y tokens, z horizon
    local all, sum, live, dead = redis.call('HGETALL', key), 0, {}, {}
    for j = 1, #all, 2 do
      local s, n = tonumber(all[j]), tonumber(all[j+1])
      if (s + 1) * 1000000 + z <= now then dead[#dead+1] = all[j]
      else sum = sum + n; live[#live+1] = {s, n} end
    end
    if #dead > 0 then redis.call('HDEL', key, unpack(dead)) end
    y = math.min(y, x)
    local over, free = sum + y - x, z
    if over <= 0 then todo[#todo+1] = {kind, key, t[1], y, z} else
      table.sort(live, function(p, q) return p[1] < q[1] end)
      for _, s in ipairs(live) do
        over = over - s[2]
        if over <= 0 then free = (s[1] + 1) * 1000000 + z - now; break end
      end
      blocked(free, i)
    end
  elseif kind == 'c' then                   -- in flight: x most, y lease
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    if redis.call('ZCARD', key) >= x then blocked(-1, i) else todo[#todo+1] = {kind, key, now + y, y} end
  else                                      -- budget: x limit, y amount, z life of the hold
    local holds = KEYS[k]; k = k + 1
    for _, m in ipairs(redis.call('ZRANGEBYSCORE', holds, '-inf', now, 'LIMIT', 0, 100)) do
      local n = tonumber(string.match(m, '^(%d+)|'))
      redis.call('HINCRBY', key, 'held', 0 - n); redis.call('HINCRBY', key, 'spent', n)
      redis.call('ZREM', holds, m)          -- nobody settled it: it counts as spent
    end
    local member = ARGV[a-2] .. '|' .. id
    if not redis.call('ZSCORE', holds, member) then     -- else it asks again, as no answer came in time
      local v = redis.call('HMGET', key, 'spent', 'held')
      if tonumber(v[1] or 0) + tonumber(v[2] or 0) + y > x then blocked(-2, i)
      else todo[#todo+1] = {kind, key, holds, ARGV[a-2], now + z, member} end
    end
  end
end
if what > 0 then return {0, wait, what} end
for _, p in ipairs(todo) do
  local function life(us) redis.call('PEXPIRE', p[2], math.ceil(us / 1000) + 2000) end
  if p[1] == 'r' then redis.call('SET', p[2], string.format('%.0f', p[3])); life(p[3] - now)
  elseif p[1] == 't' then redis.call('HINCRBY', p[2], p[3], p[4]); life(p[5])
  elseif p[1] == 'c' then redis.call('ZADD', p[2], string.format('%.0f', p[3]), id); life(p[4])
  else
    redis.call('HINCRBY', p[2], 'held', p[4])
    redis.call('ZADD', p[3], string.format('%.0f', p[5]), p[6])
  end
end
return {1, tonumber(t[1]), 0}
