module github.com/liter-llm/liter-llm/scripts/bench/go/peers

go 1.25

require (
	github.com/liter-llm/liter-llm/scripts/bench/go v0.0.0
	github.com/sashabaranov/go-openai v1.43.0
)

replace (
	github.com/liter-llm/liter-llm/go => ../../../../go
	github.com/liter-llm/liter-llm/scripts/bench/go => ..
)
