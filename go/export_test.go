package literllm

// The package's internals that its tests look at from outside.
var (
	ErrorFrom    = errorFrom
	ReadResponse = readResponse
	ReadChunk    = readChunk
	EndedBy      = endedBy
)

// Pending is the number of requests that wait for the pump.
func Pending() int {
	pump, err := startedPump()
	if err != nil {
		return -1
	}
	n := 0
	for i := range pump.shards {
		pump.shards[i].mutex.Lock()
		n += len(pump.shards[i].waiting)
		pump.shards[i].mutex.Unlock()
	}
	return n
}

// LogLevels are the engine's levels that the loggers of a client have asked for.
func LogLevels(c *Client) (levels []int) {
	for _, l := range c.logs {
		l.handing.Lock()
		levels = append(levels, l.level)
		l.handing.Unlock()
	}
	return levels
}
