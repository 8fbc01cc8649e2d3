"""The table of the GenAI conventions. scripts/semconv.py writes it."""

import json
from typing import Any

TABLE: Any = json.loads(r"""
{
 "scope": "liter_llm",
 "operations": {
  "embed": "embeddings"
 },
 "providers": {
  "anthropic": "anthropic",
  "azure": "azure.ai.openai",
  "bedrock": "aws.bedrock",
  "cohere": "cohere",
  "deepseek": "deepseek",
  "gemini": "gcp.gemini",
  "groq": "groq",
  "mistral": "mistral_ai",
  "openai": "openai",
  "perplexity": "perplexity",
  "vertex": "gcp.vertex_ai",
  "xai": "x_ai"
 },
 "attributes": [
  {
   "name": "gen_ai.operation.name",
   "from": "trace.operation",
   "as": "operation"
  },
  {
   "name": "gen_ai.provider.name",
   "from": "trace",
   "as": "provider"
  },
  {
   "name": "gen_ai.request.model",
   "from": "trace.model",
   "as": "value"
  },
  {
   "name": "server.address",
   "from": "trace.server",
   "as": "host"
  },
  {
   "name": "server.port",
   "from": "trace.server",
   "as": "port"
  },
  {
   "name": "gen_ai.request.max_tokens",
   "from": "trace.request.max_tokens",
   "as": "value"
  },
  {
   "name": "gen_ai.request.temperature",
   "from": "trace.request.temperature",
   "as": "number"
  },
  {
   "name": "gen_ai.request.top_p",
   "from": "trace.request.top_p",
   "as": "number"
  },
  {
   "name": "gen_ai.request.frequency_penalty",
   "from": "trace.request.frequency_penalty",
   "as": "number"
  },
  {
   "name": "gen_ai.request.presence_penalty",
   "from": "trace.request.presence_penalty",
   "as": "number"
  },
  {
   "name": "gen_ai.request.seed",
   "from": "trace.request.seed",
   "as": "value"
  },
  {
   "name": "gen_ai.request.choice.count",
   "from": "trace.request.n",
   "as": "not_one"
  },
  {
   "name": "gen_ai.request.stop_sequences",
   "from": "trace.request.stop",
   "as": "value"
  },
  {
   "name": "gen_ai.request.stream",
   "from": "trace.request.stream",
   "as": "value"
  },
  {
   "name": "gen_ai.request.reasoning.level",
   "from": "trace.request.reasoning_effort",
   "as": "value"
  },
  {
   "name": "gen_ai.output.type",
   "from": "trace.request.output_type",
   "as": "value"
  },
  {
   "name": "gen_ai.response.id",
   "from": "answer.id",
   "as": "value"
  },
  {
   "name": "gen_ai.response.model",
   "from": "answer.model",
   "as": "value"
  },
  {
   "name": "gen_ai.response.finish_reasons",
   "from": "answer.choices",
   "as": "finish_reasons"
  },
  {
   "name": "gen_ai.response.time_to_first_chunk",
   "from": "answer.liter.timing.ttft_ms",
   "as": "seconds"
  },
  {
   "name": "gen_ai.usage.input_tokens",
   "from": "answer.usage.prompt_tokens",
   "as": "value"
  },
  {
   "name": "gen_ai.usage.output_tokens",
   "from": "answer.usage.completion_tokens",
   "as": "value"
  },
  {
   "name": "gen_ai.usage.cache_read.input_tokens",
   "from": "answer.usage.prompt_tokens_details.cached_tokens",
   "as": "value"
  },
  {
   "name": "gen_ai.usage.cache_write.input_tokens",
   "from": "answer.usage.prompt_tokens_details.cache_write_tokens",
   "as": "value"
  },
  {
   "name": "gen_ai.usage.reasoning.output_tokens",
   "from": "answer.usage.completion_tokens_details.reasoning_tokens",
   "as": "value"
  },
  {
   "name": "error.type",
   "from": "error.kind",
   "as": "value"
  },
  {
   "name": "http.response.status_code",
   "from": "error.status",
   "as": "value"
  },
  {
   "name": "liter_llm.request_id",
   "from": "answer.liter.request_id",
   "as": "value"
  },
  {
   "name": "liter_llm.attempts",
   "from": "trace.attempts",
   "as": "count"
  },
  {
   "name": "liter_llm.cache",
   "from": "answer.liter.cache.tier",
   "as": "value"
  },
  {
   "name": "liter_llm.cost",
   "from": "answer.liter.cost.usd",
   "as": "value"
  },
  {
   "name": "liter_llm.cost_usd",
   "from": "answer.liter.cost.usd",
   "as": "number"
  },
  {
   "name": "liter_llm.route",
   "from": "trace.route",
   "as": "value"
  },
  {
   "name": "liter_llm.queue_ms",
   "from": "answer.liter.timing.queue_ms",
   "as": "number"
  }
 ],
 "attempt": [
  {
   "name": "server.address",
   "from": "times.server",
   "as": "host"
  },
  {
   "name": "server.port",
   "from": "times.server",
   "as": "port"
  },
  {
   "name": "http.response.status_code",
   "from": "attempt.status",
   "as": "value"
  },
  {
   "name": "error.type",
   "from": "attempt.kind",
   "as": "value"
  },
  {
   "name": "liter_llm.target",
   "from": "attempt.target",
   "as": "value"
  },
  {
   "name": "liter_llm.hedge",
   "from": "attempt.hedge",
   "as": "value"
  },
  {
   "name": "liter_llm.may_be_billed",
   "from": "attempt.may_be_billed",
   "as": "value"
  }
 ],
 "metrics": [
  {
   "name": "gen_ai.client.inference.duration",
   "unit": "s",
   "kind": "histogram",
   "from": "trace.total_ms",
   "as": "seconds"
  },
  {
   "name": "gen_ai.client.inference.time_to_first_chunk",
   "unit": "s",
   "kind": "histogram",
   "from": "answer.liter.timing.ttft_ms",
   "as": "seconds"
  },
  {
   "name": "gen_ai.client.inference.usage.input_tokens",
   "unit": "{token}",
   "kind": "counter",
   "from": "answer.usage.prompt_tokens",
   "as": "value"
  },
  {
   "name": "gen_ai.client.inference.usage.output_tokens",
   "unit": "{token}",
   "kind": "counter",
   "from": "answer.usage.completion_tokens",
   "as": "value"
  }
 ],
 "metric_labels": [
  "gen_ai.operation.name",
  "gen_ai.provider.name",
  "gen_ai.request.model",
  "gen_ai.response.model",
  "error.type",
  "server.address",
  "server.port"
 ],
 "seconds": [
  0.01,
  0.02,
  0.04,
  0.08,
  0.16,
  0.32,
  0.64,
  1.28,
  2.56,
  5.12,
  10.24,
  20.48,
  40.96,
  81.92
 ]
}
""")
