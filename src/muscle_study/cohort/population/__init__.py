"""The synthetic population: who the participants are and how large their muscles truly are."""
