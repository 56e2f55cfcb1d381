"""The fuzzer: every parser and decoder that a stranger's bytes reach, fed with what nobody thought of.

    python -m gateway.testing.fuzz g729 --seconds 600 --seed 1 --json benchmarks/results/fuzz-g729.json

`targets` lists what can be fuzzed: the decoders and the media plane in C, built with the sanitizers
(`native/fuzz`), and the SIP and SDP parsers and the whole SIP engine in Python.  A *worker* is a process that
runs one target, from one seed, always over the same inputs: `tandem_fuzz` for C, `worker` for Python; both speak
the same few lines of JSON and keep the input under way in a file, so that it is there however the process ends.
`campaign` drives workers and writes down what they did.

An input is a whole story that begins from nothing (a stream with its losses, a conversation with its pauses), so
one file reproduces what it did: `python -m gateway.testing.fuzz TARGET --input FILE`.
"""
