package outbox

// What waits for one person goes in one message: on WeChat up to the platform's limit with room to spare, by SMS up to two parts.
const (
	digestWeChat = 600 // characters
	digestSMS    = 120
)

func digestRoom(r rung) int {
	if r == rungSMS {
		return digestSMS
	}
	return digestWeChat
}

// digestMark stands between two of them.
func digestMark(r rung) string {
	if r == rungSMS {
		return ";"
	}
	return "\n\n"
}
