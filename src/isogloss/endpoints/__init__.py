"""Who is asked over the network: OpenAI-compatible servers, patiently, and the model hub, if it is there."""
