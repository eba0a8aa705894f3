package main

import (
	"strings"

	"github.com/nongxun/nongxun/sms/smpp"
)

// smppSettings is a line to an SMSC; without Addr it is off.
type smppSettings struct {
	Addr, SystemID, Password, SystemType string
	Src, ServiceType, CountryCode        string
	Alphabet                             smpp.Alphabet
	Long                                 smpp.Long
	ReceiptIDs                           smpp.IDForm
	Connections, Window, Rate            int
	Sign                                 string
	SignByGateway                        bool
}

// oneOf is a value that must be one of some words.
func (s *source) oneOf(name string, words ...string) string {
	v := strings.ToLower(s.get(name, words[0]))
	for _, w := range words {
		if v == w {
			return v
		}
	}
	s.fail("NONGXUN_"+name, "should be one of: %s", strings.Join(words, ", "))
	return words[0]
}

func (s *source) smpp() smppSettings {
	addr, tls := strings.CutPrefix(s.get("SMPP_ADDR", ""), "tls://")
	if addr == "" {
		return smppSettings{}
	}
	p := smppSettings{Addr: addr}
	if err := smpp.CheckAddr(addr); err != nil {
		s.fail("NONGXUN_SMPP_ADDR", "should be host:port, such as smsc.example.com:2775, or tls://host:port")
	}
	if tls {
		p.Addr = "tls://" + addr
	}
	const because = "NONGXUN_SMPP_ADDR"
	p.SystemID = s.needed("SMPP_SYSTEM_ID", because, "the account (system_id) at the SMSC, at most 15 characters")
	p.Password = s.needed("SMPP_PASSWORD", because, "the account's password, at most 8 characters")
	p.Src = s.needed("SMPP_SRC", because, "our number, such as 10690001")
	p.SystemType = s.get("SMPP_SYSTEM_TYPE", "")
	p.ServiceType = s.get("SMPP_SERVICE_TYPE", "")
	p.CountryCode = s.get("SMPP_COUNTRY_CODE", "86")
	if p.CountryCode == "none" {
		p.CountryCode = ""
	}
	p.Alphabet = smpp.Alphabet(s.oneOf("SMPP_ALPHABET", string(smpp.GSM), string(smpp.Latin1)))
	p.Long = smpp.Long(s.oneOf("SMPP_LONG", string(smpp.LongUDH), string(smpp.LongSAR), string(smpp.LongPayload)))
	if p.ReceiptIDs = smpp.IDForm(s.oneOf("SMPP_RECEIPT_IDS", "same", string(smpp.ReceiptHex), string(smpp.ReceiptDecimal))); p.ReceiptIDs == "same" {
		p.ReceiptIDs = smpp.ReceiptSame
	}
	p.Connections = s.number("SMPP_CONNECTIONS", 1, 32)
	p.Window = s.number("SMPP_WINDOW", 10, 1000)
	p.Rate = s.number("SMPP_RATE", 10, 100_000)
	p.Sign, p.SignByGateway = s.sign("SMPP_SIGN")
	if _, err := smpp.ParseAddress(p.Src); err != nil {
		s.fail("NONGXUN_SMPP_SRC", "should be a number such as 10690001, a name of at most 11 letters, or TON,NPI,ADDRESS such as 5,0,NONGXUN")
	}
	for _, part := range []struct {
		name, value string
		most        int
	}{
		{"SMPP_SYSTEM_ID", p.SystemID, 15}, {"SMPP_PASSWORD", p.Password, 8}, {"SMPP_SYSTEM_TYPE", p.SystemType, 12}, {"SMPP_SERVICE_TYPE", p.ServiceType, 5},
	} {
		if len(part.value) > part.most {
			s.fail("NONGXUN_"+part.name, "should have at most %d characters: SMPP has no room for more", part.most)
		}
	}
	if strings.Trim(p.CountryCode, "0123456789") != "" || len(p.CountryCode) > 3 {
		s.fail("NONGXUN_SMPP_COUNTRY_CODE", "should be a country's code such as 86, or none where the SMSC wants numbers of 11 digits")
	}
	return p
}

// config is the settings as the gateway wants them.
func (p smppSettings) config() smpp.Config {
	return smpp.Config{
		Addr: p.Addr, SystemID: p.SystemID, Password: p.Password, SystemType: p.SystemType, Number: p.Src, ServiceType: p.ServiceType,
		Country: p.CountryCode, Alphabet: p.Alphabet, Long: p.Long, ReceiptIDs: p.ReceiptIDs, Sign: p.Sign, SignByGateway: p.SignByGateway,
		Connections: p.Connections, Window: p.Window, Rate: float64(p.Rate),
	}
}
