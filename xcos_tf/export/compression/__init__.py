"""Networks made smaller by tensorflow-model-optimization: pruned, weight-clustered, and int8."""
