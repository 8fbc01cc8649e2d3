-- KEYS: epoch. ARGV: a new name, its life in ms, whether it takes the place of another one.
-- Returns the name of the epoch. One that nobody has asked for lately ends.
local name = redis.call('GET', KEYS[1])
if name and ARGV[3] == '0' then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return name
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
