// Package api is the daemon's REST and WebSocket door: it decodes a request, calls one function of the SDK and encodes the answer.
//
// It refuses whom it does not know, names and origins that are not its own, bodies that are not JSON, and to hold a secret of a
// request anywhere but in memory. It opens no connection to vCenter or libvirt and no listening socket: cmd/hypersdkd does.
// Start reading in routes.go, which is the whole index; front.go is what every request passes on its way in.
package api
