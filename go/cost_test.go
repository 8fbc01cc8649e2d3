package literllm_test

import (
	"encoding/json"
	"testing"

	literllm "github.com/liter-llm/liter-llm/go"
)

func TestAmountsAreTextAndAFloatOnDemand(t *testing.T) {
	var answer literllm.Response
	document := `{"liter":{"cost":{"usd":"0.18494235","source":"table","tier":200000}}}`
	if err := json.Unmarshal([]byte(document), &answer); err != nil {
		t.Fatal(err)
	}
	cost := answer.Liter.Cost
	if cost == nil || cost.USD != "0.18494235" {
		t.Fatalf("the cost is %+v", cost)
	}
	if usd, known := cost.USDFloat(); !known || usd != 0.18494235 {
		t.Fatalf("as a float it is %v, %v", usd, known)
	}
}

func TestWhatIsNotKnownIsNotZero(t *testing.T) {
	var answer literllm.Response
	document := `{"liter":{"cost":{"usd":null,"reason":"no_price"}}}`
	if err := json.Unmarshal([]byte(document), &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Liter.Cost == nil || answer.Liter.Cost.USD != "" {
		t.Fatalf("the cost is %+v", answer.Liter.Cost)
	}
	if usd, known := answer.Liter.Cost.USDFloat(); known || usd != 0 {
		t.Fatalf("as a float it is %v, %v", usd, known)
	}
	var none *literllm.Cost
	if _, known := none.USDFloat(); known {
		t.Fatal("no cost is a known one")
	}
}
