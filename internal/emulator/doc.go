// Package emulator is the other side of the wire: a WeChat platform, an Aliyun SMS provider, and two phones on a web page. It lets a
// newcomer see the whole service without an account anywhere, and it is what the service is tested against. It is written from the
// protocols' own documents and shares no code with what it tests (it imports neither the service nor an SDK), so that a mistake
// cannot cancel itself out.
package emulator
