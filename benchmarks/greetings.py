"""What people and machines say when they answer, in six languages: the texts of the labelled set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["GREETINGS", "VOICES", "Greetings"]


@dataclass(frozen=True, slots=True)
class Greetings:
    """Of one language."""

    human: tuple[str, ...]
    machine: tuple[str, ...]


GREETINGS: Final[Mapping[str, Greetings]] = {
    "en": Greetings(
        ("Hello?", "Yes?", "Anna speaking.", "Hello, this is Peter Miller.", "Good morning, Smith and Sons."),
        (
            "Hello, you have reached the voice mail of Anna Miller. Please leave a message after the tone.",
            "Hi, this is Peter. I cannot take your call now, but leave your name and I will call you back.",
            "The person you have called is not available. At the tone, please record your message.",
            "Thank you for calling Smith and Sons. We are open from nine to five, Monday to Friday.",
        ),
    ),
    "de": Greetings(
        ("Hallo?", "Ja bitte?", "Müller.", "Anna Schmidt, guten Tag.", "Hier ist Peter Müller."),
        (
            "Hallo, hier ist der Anrufbeantworter von Anna Schmidt. Bitte sprechen Sie nach dem Ton.",
            "Der gewünschte Gesprächspartner ist zur Zeit nicht erreichbar. Rufen Sie später wieder an.",
            "Guten Tag, Sie sind verbunden mit der Firma Müller. Wir sind von neun bis fünf Uhr da.",
            "Das ist die Nummer von Peter. Ich bin gerade nicht zu Hause, rufe aber gerne zurück.",
        ),
    ),
    "fr": Greetings(
        ("Allô?", "Oui?", "Allô, oui bonjour.", "Anne Dupont, bonjour.", "Pierre à l'appareil."),
        (
            "Bonjour, vous êtes bien chez Anne Dupont. Laissez un message après le bip sonore.",
            "Votre correspondant n'est pas disponible pour le moment. Veuillez parler après le signal.",
            "Nos bureaux sont fermés. Nous sommes ouverts du lundi au vendredi, de neuf heures à midi.",
            "Je ne suis pas là pour le moment, mais laissez votre nom et je vous rappelle bientôt.",
        ),
    ),
    "es": Greetings(
        ("¿Diga?", "¿Sí?", "Hola, buenos días.", "Ana García, dígame.", "¿Quién es?"),
        (
            "Hola, este es el contestador de Ana García. Por favor, deje su mensaje después de la señal.",
            "El teléfono al que llama no está disponible en este momento. Inténtelo más tarde.",
            "Gracias por llamar. Nuestro horario es de lunes a viernes, de nueve a cinco de la tarde.",
            "En este momento no puedo atenderle, pero deje su nombre y le llamaré enseguida.",
        ),
    ),
    "it": Greetings(
        ("Pronto?", "Sì?", "Pronto, chi parla?", "Sono Anna Rossi.", "Buongiorno, ditta Bianchi."),
        (
            "Ciao, questa è la segreteria di Anna Rossi. Lasciate un messaggio dopo il segnale acustico.",
            "Il cliente da lei chiamato non è al momento raggiungibile. Si prega di riprovare più tardi.",
            "Grazie per aver chiamato. Siamo aperti dal lunedì al venerdì, dalle nove alle diciassette.",
            "In questo momento non posso rispondere, ma lasciate il vostro nome e vi richiamerò presto.",
        ),
    ),
    "sv": Greetings(
        ("Hallå?", "Ja?", "Anna Svensson.", "Hej, det är Peter.", "Ja, det är Lindgren."),
        (
            "Hej, du har kommit till Anna Svenssons telefonsvarare. Lämna ett meddelande efter tonen.",
            "Abonnenten kan inte nås för tillfället. Var god försök igen senare.",
            "Välkommen till Lindgrens. Våra tider är måndag till fredag, mellan nio och sjutton.",
            "Jag kan inte svara just nu, men lämna ditt namn och nummer så ringer jag upp dig snart.",
        ),
    ),
}  # fmt: skip

VOICES: Final = (
    "en-US/female",
    "en-US/male",
    "en-GB/female",
    "en-GB/male",
    "de-DE/female",
    "de-DE/male",
    "fr-FR/female",
    "fr-FR/male",
    "es-ES/female",
    "es-ES/male",
    "it-IT/female",
    "it-IT/male",
    "sv-SE/female",
    "sv-SE/male",
)
