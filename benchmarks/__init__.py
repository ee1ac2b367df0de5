"""Speed of Plait as ratios against its peers, measured in one process."""
