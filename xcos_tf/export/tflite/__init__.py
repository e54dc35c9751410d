"""TFLite files of a preset: three models, in variants that trade size and speed for exactness."""
