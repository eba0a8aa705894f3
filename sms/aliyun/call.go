package aliyun

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"github.com/nongxun/nongxun/sms"
)

const maxAnswer = 1 << 20

// answer is what dysmsapi says, of all actions used here. Business errors come with HTTP 200 too: only Code tells.
type answer struct {
	Code    string
	Message string
	BizID   string `json:"BizId"`
	Details struct {
		Rows []detailRow `json:"SmsSendDetailDTO"`
	} `json:"SmsSendDetailDTOs"`
}

// call signs r, sends it once and reads the answer. It never repeats a call: Aliyun's sending is not idempotent. No error text of
// the SDK or of net/http is passed on, they hold the address with phone, text and signature.
func (g *Gateway) call(ctx context.Context, r requests.AcsRequest) (answer, *sms.Error) {
	ctx, cancel := context.WithTimeout(ctx, g.config.Timeout)
	defer cancel()
	if ctx.Err() != nil {
		return answer{}, &sms.Error{Kind: sms.RetryLater, Code: CodeCancelled, Message: "本机在发送前停止，未发出"}
	}
	var connected atomic.Bool // from then on bytes may have left
	request, err := g.request(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { connected.Store(false) }, // net/http tries again only where nothing was written
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}), r)
	if err != nil {
		return answer{}, &sms.Error{Kind: sms.ChannelStopped, Code: "nongxun.SIGNING", Message: "无法签名请求，请检查阿里云设置"}
	}
	response, err := g.client.Do(request)
	if err != nil {
		return answer{}, broken(err, connected.Load())
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return answer{}, broken(err, true)
	}
	return g.read(response.StatusCode, body)
}

// request is r signed by the SDK, as a request of net/http.
func (g *Gateway) request(ctx context.Context, r requests.AcsRequest) (*http.Request, error) {
	signer, err := g.signer()
	if err != nil {
		return nil, err
	}
	if err := signer.BuildRequestWithSigner(r, nil); err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, r.GetMethod(), r.BuildUrl(), r.GetBodyReader())
	if err != nil {
		return nil, err
	}
	for name, value := range r.GetHeaders() {
		request.Header.Set(name, value)
	}
	return request, nil
}

// broken is a call without an answer. A connection that never came about sent nothing.
func broken(err error, connected bool) *sms.Error {
	if connected {
		return &sms.Error{Kind: sms.Unknown, Code: CodeNoAnswer, Message: "阿里云没有答复，是否发出待核对"}
	}
	if errors.Is(err, context.Canceled) {
		return &sms.Error{Kind: sms.RetryLater, Code: CodeCancelled, Message: "本机在发送前停止，未发出"}
	}
	return &sms.Error{Kind: sms.RetryLater, Code: CodeUnreachable, Message: "连不上阿里云，未发出，稍后自动重发"}
}

func (g *Gateway) read(status int, body []byte) (answer, *sms.Error) {
	var a answer
	err := json.Unmarshal(body, &a)
	switch {
	case err == nil && a.Code == "OK" && status < 300:
		return a, nil
	case err == nil && cleanCode(a.Code) != "" && a.Code != "OK":
		return answer{}, refusal(a.Code, a.Message, status, g.config.Now())
	case status >= 300 && status < 500: // something on the way refused
		return answer{}, &sms.Error{Kind: sms.RetryLater, Code: codeHTTP + strconv.Itoa(status), Message: "请求未到达阿里云，请检查网络代理和接口地址"}
	case status >= 500:
		return answer{}, &sms.Error{Kind: sms.Unknown, Code: codeHTTP + strconv.Itoa(status), Message: "阿里云服务出错，是否发出待核对"}
	}
	return answer{}, &sms.Error{Kind: sms.Unknown, Code: CodeNoAnswer, Message: "阿里云的答复无法识别，是否发出待核对"}
}
