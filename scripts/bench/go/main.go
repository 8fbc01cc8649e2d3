// The two sides in Go: a raw client and liter-llm.
package main

import "github.com/liter-llm/liter-llm/scripts/bench/go/harness"

func main() {
	harness.Main(map[string]harness.Open{"raw": openRaw, "liter": openLiter})
}
