// Package cmpp speaks China Mobile's CMPP, by which a service provider's own number (106…) sends and receives short messages over TCP:
// the frames of 2.0, 2.1 and 3.0 (QB-GF-028-2003), a connection that keeps the window and the time-outs of the protocol exactly, and
// Line, a sms.Gateway over several such connections.
//
// What cannot be known is never guessed: a SUBMIT whose answer does not come is sms.Unknown and is not sent again. What came in is
// answered only once it is committed.
package cmpp
