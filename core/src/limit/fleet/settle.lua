-- Settles what attempts have taken, of many at once. It never refuses, and a key of another kind costs
-- its own item alone. KEYS: one of each item, two of a budget. ARGV: number of items, then of each item:
-- kind, id, x, y, z.
local t = redis.call('TIME'); local now = t[1] * 1000000 + t[2]
local k, a = 1, 2
for i = 1, tonumber(ARGV[1]) do
  local kind, id, key, x = ARGV[a], ARGV[a+1], KEYS[k], ARGV[a+2]; k = k + 1
  local y, z = tonumber(ARGV[a+3]), tonumber(ARGV[a+4]); a = a + 5
  local holds = KEYS[k]; if kind == 'b' then k = k + 1 end
  local well, why = pcall(function()
    if kind == 'c' then redis.call('ZREM', key, id)
    elseif kind == 'l' then                   -- a lease goes on for y
      redis.call('ZADD', key, 'XX', string.format('%.0f', now + y), id)
      redis.call('PEXPIRE', key, math.ceil(y / 1000) + 2000)
    elseif kind == 'p' then                   -- a pause of y from now on
      if now + y > tonumber(redis.call('GET', key) or 0) then
        redis.call('SET', key, string.format('%.0f', now + y), 'PX', math.ceil(y / 1000))
      end
    elseif kind == 't' and z > y then         -- x slot, y counted, z actual: more counts now
      redis.call('HINCRBY', key, t[1], z - y); redis.call('PEXPIRE', key, 64000)
    elseif kind == 't' then                   -- less, where it was counted
      local had = redis.call('HGET', key, x)
      if had then redis.call('HINCRBY', key, x, math.max(z - y, 0 - tonumber(had))) end
    elseif kind == 'b' then                   -- y held, z actual
      if redis.call('ZREM', holds, x .. '|' .. id) == 1 then
        redis.call('HINCRBY', key, 'held', 0 - y); redis.call('HINCRBY', key, 'spent', z)
      else redis.call('HINCRBY', key, 'spent', z - y) end
    end
  end)
  if not well then
    why = type(why) == 'table' and why.err or tostring(why)
    local own = string.find(why, 'WRONGTYPE') or string.find(why, 'not an integer') or string.find(why, 'attempt to')
    if not own then return redis.error_reply(why) end
  end
end
return {1}
