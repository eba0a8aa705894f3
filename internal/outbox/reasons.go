package outbox

// Reason says why a delivery is where it is; "" needs none.
type Reason string

// The reasons: this is all of them.
const (
	NoReason        Reason = ""
	OptedOut        Reason = "opted_out"        // the person wants no pushes
	Unfollowed      Reason = "unfollowed"       // the person left the account and has no phone
	NoRoad          Reason = "no_road"          // no channel that is switched on reaches this person
	NoCredit        Reason = "no_credit"        // the platform lets us write only after the person wrote
	Expired         Reason = "expired"          // its time was over before it could go
	WeeklyCap       Reason = "weekly_cap"       // the person has had enough pushes this week
	QuietHours      Reason = "quiet_hours"      // held until the morning
	RateLimit       Reason = "rate_limit"       // held: our own rate
	ChannelStopped  Reason = "channel_stopped"  // held: the provider or an operator has stopped the channel
	TemplateStopped Reason = "template_stopped" // held: the provider has stopped the template
	RetryLater      Reason = "retry_later"      // nothing was sent, it is tried again
	FlowLimit       Reason = "flow_limit"       // nothing was sent: the provider's limits; tried again when they allow
	RetriesUsedUp   Reason = "retries_used_up"  // nothing was sent, often enough
	Refused         Reason = "refused"          // the provider will never take this message
	NoAnswer        Reason = "no_answer"        // the call ended without an answer; being found out
	LeaseRanOut     Reason = "lease_ran_out"    // the process that was sending it died; being found out
	NeverTold       Reason = "never_told"       // nobody could tell whether it arrived, and it is not repeated
	NotTaken        Reason = "not_taken"        // the provider was asked and never got it; it is tried again
	Repeated        Reason = "repeated"         // queued once more, because nobody could tell whether it arrived
	NotDelivered    Reason = "not_delivered"    // the carrier or platform says that it did not arrive
	Blocked         Reason = "blocked"          // the person does not let us through
	TriedAgain      Reason = "tried_again"      // an operator put it back into the queue
)

// labels are the closed list, as an operator reads it.
var labels = []struct {
	reason Reason
	label  string
}{
	{NoReason, ""},
	{OptedOut, "本人已退订"},
	{Unfollowed, "已取消关注,又没有手机号"},
	{NoRoad, "没有能到达的渠道"},
	{NoCredit, "微信规定本人先来消息才能发"},
	{Expired, "过了时效,不再发"},
	{WeeklyCap, "本周已发够,不再打扰"},
	{QuietHours, "休息时间,等到早上"},
	{RateLimit, "排队等发送速度"},
	{ChannelStopped, "渠道停用,排队等恢复"},
	{TemplateStopped, "模板停用,请检查模板"},
	{RetryLater, "对方系统忙,稍后再发"},
	{FlowLimit, "触发对方流量限制,到时再发"},
	{RetriesUsedUp, "多次没发成"},
	{Refused, "内容被对方拒收"},
	{NoAnswer, "没有回音,正在核对"},
	{LeaseRanOut, "发送中断,正在核对"},
	{NeverTold, "查不到结果,按规定不重发"},
	{NotTaken, "查过对方没收到,重新发"},
	{Repeated, "查不到结果,重发一次"},
	{NotDelivered, "没有送达(关机、空号、运营商拦截,或微信没发成)"},
	{Blocked, "本人拒收"},
	{TriedAgain, "人工重发"},
	{Merged, "和绑定的另一个号是同一个人,只发一次"},
}

// Reasons is the closed list.
func Reasons() []Reason {
	out := make([]Reason, len(labels))
	for i, l := range labels {
		out[i] = l.reason
	}
	return out
}

// Label is the reason in an operator's words, "" for none.
func (r Reason) Label() string {
	for _, l := range labels {
		if l.reason == r {
			return l.label
		}
	}
	return string(r)
}

// Label is the state in an operator's words.
func (s State) Label() string {
	switch s {
	case Queued:
		return "等待发送"
	case Sending:
		return "正在发送"
	case Sent:
		return "已发出"
	case Delivered:
		return "已送达"
	case Failed:
		return "没发成"
	case Unknown:
		return "结果不明"
	case Skipped:
		return "没有发"
	}
	return string(s)
}

// Label is the class in an operator's words.
func (c Class) Label() string {
	return [...]string{"回复", "订阅通知", "群发推送"}[min(max(c, Reply), Promotion)]
}
