"""The HTTP service: OpenAI's embeddings, classification, a page to try it. Needs ``unmist[serve]``.

Two threads share the work. The event loop owns all state: places, queue, deadlines, answers. One
worker thread runs the model and sees only immutable slices of requests. Nothing is locked, because
nothing is shared.

    tracing      spans for OpenTelemetry, when an endpoint is set
    connection   one TCP connection: header, idle and write timeouts
    observe      request id, log line, metrics, and every error in OpenAI's shape
    auth         the API key
    limits       places and bytes in flight, body size, JSON depth, clients that go away
    app          routes
    batcher      fair slices of waiting requests -> one batch at a time -> the model's thread
"""
