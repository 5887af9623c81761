// What soapcpp2 makes the client of: WS-Discovery of April 2005.
#import "wsdd10.h"
