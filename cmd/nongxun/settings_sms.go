package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/cmpp"
)

// cmppSettings is a carrier line; without Addr it is off.
type cmppSettings struct {
	Addr, SPID, Secret, SrcID, ServiceID string
	Version                              cmpp.Version
	Connections, Window, Rate            int
	Sign                                 string
	SignByGateway                        bool
}

// number reads a whole number from 1 to high.
func (s *source) number(name string, missing, high int) int {
	v := s.get(name, strconv.Itoa(missing))
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > high {
		s.fail("NONGXUN_"+name, "should be a whole number from 1 to %d, such as %d", high, missing)
	}
	return n
}

// sign reads a sign: without 【】, after "gateway:" (or 网关:) where the gateway adds it.
func (s *source) sign(name string) (sign string, byGateway bool) {
	sign = strings.TrimSpace(s.get(name, ""))
	for _, prefix := range []string{"gateway:", "网关:", "网关："} {
		if rest, ok := strings.CutPrefix(sign, prefix); ok {
			sign, byGateway = rest, true
		}
	}
	sign = strings.Trim(strings.TrimSpace(sign), "【】")
	if n := sms.Length(sign); n > 20 || strings.ContainsAny(sign, "【】") {
		s.fail("NONGXUN_"+name, "should be the sign without 【】, at most 20 characters, such as 示例县商务局, or gateway:示例县商务局 where the carrier's gateway adds it")
	}
	return sign, byGateway
}

func (s *source) cmpp() cmppSettings {
	c := cmppSettings{Addr: s.address("CMPP_ADDR", "")}
	if c.Addr == "" {
		return c
	}
	const because = "NONGXUN_CMPP_ADDR"
	c.SPID = s.needed("CMPP_SP_ID", because, "the enterprise code that the carrier gave, six digits such as 900001")
	c.Secret = s.needed("CMPP_SECRET", because, "the shared secret that the carrier gave")
	c.SrcID = s.needed("CMPP_SRC_ID", because, "the access number, such as 10690001")
	c.ServiceID = s.get("CMPP_SERVICE_ID", "")
	c.Connections = s.number("CMPP_CONNECTIONS", 1, 32)
	c.Window = s.number("CMPP_WINDOW", 16, 1000)
	c.Rate = s.number("CMPP_RATE", 10, 100_000)
	c.Sign, c.SignByGateway = s.sign("CMPP_SIGN")
	switch s.get("CMPP_VERSION", "2.0") {
	case "2.0":
		c.Version = cmpp.V20
	case "2.1":
		c.Version = cmpp.V21
	case "3.0":
		c.Version = cmpp.V30
	default:
		s.fail("NONGXUN_CMPP_VERSION", "should be 2.0, 2.1 or 3.0, as the carrier says")
	}
	for name, bad := range map[string]bool{
		"CMPP_SP_ID": len(c.SPID) > 6, "CMPP_SRC_ID": len(c.SrcID) > 20 || strings.Trim(c.SrcID, "0123456789") != "", "CMPP_SERVICE_ID": len(c.ServiceID) > 10,
	} {
		if bad {
			s.fail("NONGXUN_"+name, "is too long or holds what it must not: the carrier gives an enterprise code of at most 6 characters, an access number of at most 20 digits, a service code of at most 10 characters")
		}
	}
	return c
}

// config is the settings as the line wants them.
func (c cmppSettings) config() cmpp.Config {
	return cmpp.Config{
		Addr: c.Addr, Number: c.SrcID, ServiceID: c.ServiceID, Sign: c.Sign, SignByGateway: c.SignByGateway,
		Connections: c.Connections, Rate: c.Rate, SPID: c.SPID, Secret: c.Secret, Version: c.Version, Window: c.Window,
	}
}

// routes reads carrier=line+line,…: which lines serve a carrier's numbers, best first.
func (s *source) routes() map[sms.Carrier][]string {
	out := map[sms.Carrier][]string{}
	for carrier, lines := range s.pairs("SMS_ROUTES") {
		if !slices.Contains(sms.Carriers(), sms.Carrier(carrier)) {
			s.fail("NONGXUN_SMS_ROUTES", "should be carrier=line pairs separated by commas, such as mobile=cmpp,unicom=aliyun+cmpp; carriers are mobile, unicom, telecom and broadnet")
		}
		out[sms.Carrier(carrier)] = strings.Split(lines, "+")
	}
	return out
}
