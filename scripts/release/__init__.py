"""The parts of dist.py, which makes the packages, and of dist_test.py, which installs them."""
