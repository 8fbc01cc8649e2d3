module github.com/liter-llm/liter-llm/bindings/real/programs

go 1.25

require github.com/liter-llm/liter-llm/go v0.0.0

replace github.com/liter-llm/liter-llm/go => ../../../../go
