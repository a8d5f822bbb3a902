"""The optional learning curve: how Dice grows with the number of training participants."""
