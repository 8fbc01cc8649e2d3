-- KEYS: epoch. ARGV: a new name, its life in ms, whether it takes the place of another one.
-- Returns the name of the epoch. One that nobody has asked for lately ends. What is not 16 hexadecimal
-- digits is no name, and is overwritten.
local name = redis.pcall('GET', KEYS[1])
if ARGV[3] == '0' and type(name) == 'string' and #name == 16 and not string.find(name, '%X') then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return name
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
