// Package plot draws numbers as text: a line plot with axes, a sparkline, a bar. It writes no colours and no escapes, every line it gives has
// exactly the asked width, and everything has a form in plain ASCII. It knows neither terminals nor what the numbers mean. Start reading in line.go.
package plot
