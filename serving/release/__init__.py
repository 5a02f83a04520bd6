"""What is served: watching the release channel, stops, copies for when the channel is away."""
