//go:build race

package devices

// raceDetector is whether these tests run with it, which makes them eight times slower.
const raceDetector = true
