package literllm

import "strconv"

// USDFloat is USD as a float, and whether the cost is known. It is the nearest float, and no longer
// exact: sums of money are those of the text, as math/big's Rat reads it.
func (c *Cost) USDFloat() (float64, bool) {
	if c == nil || c.USD == "" {
		return 0, false
	}
	usd, err := strconv.ParseFloat(c.USD, 64)
	return usd, err == nil
}
