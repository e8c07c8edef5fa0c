namespace Agnes.Emulators.OAuth;

/// <summary>What is wrong with the next ID tokens.</summary>
public enum Lie
{
    None,
    Expired,
    IssuedInTheFuture,

    /// <summary>By a key that the issuer does not publish, under the name of one that it does.</summary>
    WrongSignature,
    AlgNone,

    /// <summary>HS256 with the client's secret, which a verifier must not take for the issuer's word.</summary>
    SignedWithClientSecret,
    WrongAudience,
    SecondAudience,
    WrongIssuer,
    WrongNonce,
    NoNonce,
    NoSubject,

    /// <summary>The ID token has no e-mail, and userinfo speaks of somebody else.</summary>
    OtherUserinfo,
}

/// <summary>How one of the issuer's addresses misbehaves.</summary>
public enum Fault
{
    None,

    /// <summary>Answers 503.</summary>
    Unavailable,

    /// <summary>Takes the request and never answers.</summary>
    Stall,

    /// <summary>Closes the connection in the middle of the body.</summary>
    HalfBody,

    /// <summary>Answers 200 with a body of 4 MB.</summary>
    Huge,

    /// <summary>Sends the client somewhere else.</summary>
    Redirect,

    /// <summary>Answers 403, as a directory does to who may not read it.</summary>
    Forbidden,
}
