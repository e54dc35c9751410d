"""The paper's tables and Fig. 5, measured anew beside what it prints; see reproduce_paper.py."""
