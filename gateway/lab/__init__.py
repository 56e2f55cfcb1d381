"""What a test call needs: something to say, measures of what was heard, and a verdict in numbers."""
