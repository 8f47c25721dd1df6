"""The templates of the files persistc generates; they show the shape of the output and decide nothing."""
