// Package bot speaks WeChat for one service account (服务号) and knows nothing of farming. In: Handler verifies, decrypts and
// decodes the platform's callbacks, hands each to a Receive function and writes the passive reply. Out: Client sends
// customer-service and template messages, sets the menu and makes QR codes, with one access token that all replicas share.
//
// It uses the request and answer types of github.com/silenceper/wechat/v2 and its error decoding, but not its server, its token
// cache nor its senders: these lose messages over one odd field, accept a plain body where encryption is configured, keep a dead
// token, and put secrets into error texts.
package bot
