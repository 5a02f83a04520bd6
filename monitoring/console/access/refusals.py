"""What the door says to who may not pass."""

from models.errors import PlatformError


class NotSignedIn(PlatformError):
    """Nobody knows who asks."""


class NotPermitted(PlatformError):
    """Known, and not for them; or a form that is not from a page of ours."""


class TooManyAttempts(PlatformError):
    """Passwords are being guessed."""


class FormRefused(PlatformError):
    """No form, or too large a one."""
