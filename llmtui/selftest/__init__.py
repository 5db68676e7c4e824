"""What llmtui measures, held against what a scripted server really sent, and what watching costs."""
