"""What tests know of the servers and of the model, and what these are made with."""

KEY = "sk-real-llama"
GATEWAY_KEY = "sk-real-gateway"
# Tokens of one slot, prompt and answer together.
SLOT = 4096
# The model's tokens that end an answer, and that begin a tool call.
END_ID, TOOL_CALL_ID = 259, 260
