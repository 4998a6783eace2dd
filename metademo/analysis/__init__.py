"""What a learner does, and why, as numbers: where it fails, and what its inner loop walks on.

`worst` searches the points at which a learner fails most. The others look at one inner loop, a
:class:`walk.Walk` among weights: `ground` at the losses along it and around it, `gradients` at
which way they point, `units` at what each hidden unit does on it, `backward` at one outer step.
All are clients of the inner loop and of networks: numbers in, numbers out.
"""
