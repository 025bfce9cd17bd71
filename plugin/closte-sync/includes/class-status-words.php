<?php
/**
 * The words of the status page, in each language that it speaks.
 *
 * They are here, and not among WordPress' translations, as the owner of a domain chooses the language, not the network.
 * They say nothing internal.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * Two languages.
 */
final class Status_Words {

	/**
	 * The languages by their codes, each in its own words.
	 */
	const LANGUAGES = array(
		'en' => 'English',
		'nl' => 'Nederlands',
	);

	const ENGLISH = array(
		'status'    => 'Status of your domain',
		'owner'     => 'It is your turn',
		'to_change' => array( '1 record to change', '%d records to change' ),
		'nobody'    => 'Nothing has to be done: it is being taken care of',
		'ready'     => 'Ready',
		'unknown'   => 'It is being looked at: load this page again in a minute',
		'columns'   => array( 'To do', 'Type', 'Name', 'Found', 'Must be' ),
		'actions'   => array(
			'add'    => 'Add',
			'change' => 'Change',
			'remove' => 'Remove',
			'keep'   => 'Keep',
		),
		'lights'    => array(
			'hosting'     => 'Hosting',
			'dns'         => 'DNS',
			'certificate' => 'Certificate',
		),
		'states'    => array(
			'present'   => 'Knows the name',
			'wanted'    => 'Is being prepared',
			'adding'    => 'Is being prepared',
			'rejected'  => 'Does not know the name yet',
			'here'      => 'Leads here',
			'elsewhere' => 'Does not lead here yet',
			'valid'     => 'Valid',
			'expiring'  => 'Is being renewed',
			'missing'   => 'On its way',
			'invalid'   => 'Not valid',
			''          => 'Not known yet',
		),
		'after_dns' => 'Follows once DNS leads here',
		'since'     => 'Changed %s.',
		'last'      => 'Looked %s.',
		'next'      => 'Next look %s.',
		'as_of'     => 'This is how it was %s: nobody has looked since.',
		'changed'   => 'I have changed it: look now',
		'look'      => 'Look now',
		'looked'    => 'It is looked at now. Load this page again in a minute.',
		'too_often' => 'It cannot be looked at more often. Try again %s.',
		'gone'      => 'This link is no longer valid',
		'ask_new'   => 'Ask %s for a new one.',
		'foot'      => 'Whoever has the link to this page can read it and have the domain looked at, and nothing else. %s can end it.',
		'just'      => 'just now',
		'now'       => 'now',
		'ago'       => '%s ago',
		'in'        => 'in %s',
		'units'     => array(
			'day'    => array( '1 day', '%d days' ),
			'hour'   => array( '1 hour', '%d hours' ),
			'minute' => array( '1 minute', '%d minutes' ),
			'second' => array( '1 second', '%d seconds' ),
		),
	);

	const DUTCH = array(
		'status'    => 'Status van uw domein',
		'owner'     => 'U bent aan zet',
		'to_change' => array( '1 record te wijzigen', '%d records te wijzigen' ),
		'nobody'    => 'U hoeft niets te doen: er wordt aan gewerkt',
		'ready'     => 'Klaar',
		'unknown'   => 'Er wordt gekeken: laad deze pagina over een minuut opnieuw',
		'columns'   => array( 'Te doen', 'Type', 'Naam', 'Gevonden', 'Moet zijn' ),
		'actions'   => array(
			'add'    => 'Toevoegen',
			'change' => 'Wijzigen',
			'remove' => 'Verwijderen',
			'keep'   => 'Laten staan',
		),
		'lights'    => array(
			'hosting'     => 'Hosting',
			'dns'         => 'DNS',
			'certificate' => 'Certificaat',
		),
		'states'    => array(
			'present'   => 'Kent de naam',
			'wanted'    => 'Wordt voorbereid',
			'adding'    => 'Wordt voorbereid',
			'rejected'  => 'Kent de naam nog niet',
			'here'      => 'Wijst hierheen',
			'elsewhere' => 'Wijst nog niet hierheen',
			'valid'     => 'Geldig',
			'expiring'  => 'Wordt vernieuwd',
			'missing'   => 'Onderweg',
			'invalid'   => 'Niet geldig',
			''          => 'Nog niet bekend',
		),
		'after_dns' => 'Volgt zodra DNS hierheen wijst',
		'since'     => 'Gewijzigd: %s.',
		'last'      => 'Gekeken: %s.',
		'next'      => 'Volgende keer: %s.',
		'as_of'     => 'Zo was het %s: sindsdien heeft niemand gekeken.',
		'changed'   => 'Ik heb het gewijzigd: kijk nu',
		'look'      => 'Kijk nu',
		'looked'    => 'Er wordt nu gekeken. Laad deze pagina over een minuut opnieuw.',
		'too_often' => 'Vaker kan er niet worden gekeken. Probeer het %s opnieuw.',
		'gone'      => 'Deze link is niet meer geldig',
		'ask_new'   => 'Vraag %s om een nieuwe.',
		'foot'      => 'Wie de link naar deze pagina heeft, kan haar lezen en naar het domein laten kijken, en verder niets. %s kan de link beëindigen.',
		'just'      => 'zojuist',
		'now'       => 'nu',
		'ago'       => '%s geleden',
		'in'        => 'over %s',
		'units'     => array(
			'day'    => array( '1 dag', '%d dagen' ),
			'hour'   => array( '1 uur', '%d uur' ),
			'minute' => array( '1 minuut', '%d minuten' ),
			'second' => array( '1 seconde', '%d seconden' ),
		),
	);

	/**
	 * The words of a language.
	 *
	 * @param string $language Its code.
	 * @return array
	 */
	public static function in( $language ) {
		return 'nl' === $language ? self::DUTCH : self::ENGLISH;
	}

	/**
	 * The language of a visitor: the one that was chosen, else the browser's, else the network's.
	 *
	 * @param string $chosen   What was chosen; empty for nothing.
	 * @param string $accepted The header `Accept-Language`.
	 * @param string $locale   The network's.
	 * @return string Its code.
	 */
	public static function language( $chosen, $accepted, $locale ) {
		if ( isset( self::LANGUAGES[ $chosen ] ) ) {
			return $chosen;
		}
		$best   = substr( $locale, 0, 2 );
		$weight = 0.0;
		preg_match_all( '/(?:^|,)\s*(en|nl)\b[^,;]*(?:;\s*q=([\d.]+))?/i', $accepted, $found, PREG_SET_ORDER );
		foreach ( $found as $one ) {
			$its = isset( $one[2] ) ? (float) $one[2] : 1.0;
			if ( $its > $weight ) {
				list( $best, $weight ) = array( strtolower( $one[1] ), $its );
			}
		}
		return isset( self::LANGUAGES[ $best ] ) ? $best : 'en';
	}

	/**
	 * What to do with a record.
	 *
	 * @param array $words  Of a language.
	 * @param array $record The record.
	 * @return string
	 */
	public static function action( array $words, array $record ) {
		$action = $record['action'];
		return isset( $words['actions'][ $action ] ) ? $words['actions'][ $action ] : $action;
	}

	/**
	 * A time as people say it: how long ago, or in how long.
	 *
	 * @param array $words Of a language.
	 * @param int   $time  The time.
	 * @param int   $now   The time now.
	 * @return string
	 */
	public static function moment( array $words, $time, $now ) {
		if ( $time === $now ) {
			return $words['just'];
		}
		return sprintf( $words[ $time < $now ? 'ago' : 'in' ], self::duration( $words, abs( $time - $now ) ) );
	}

	/**
	 * A number with its word.
	 *
	 * @param string[] $forms For one, and for others.
	 * @param int      $count The number.
	 * @return string
	 */
	public static function count( array $forms, $count ) {
		return sprintf( $forms[ 1 === $count ? 0 : 1 ], $count );
	}

	/**
	 * So many seconds as people say them.
	 *
	 * @param array $words   Of a language.
	 * @param int   $seconds At least one.
	 * @return string
	 */
	private static function duration( array $words, $seconds ) {
		$units = array(
			'day'    => DAY_IN_SECONDS,
			'hour'   => HOUR_IN_SECONDS,
			'minute' => MINUTE_IN_SECONDS,
		);
		foreach ( $units as $unit => $length ) {
			if ( $seconds >= $length ) {
				return self::count( $words['units'][ $unit ], intdiv( $seconds, $length ) );
			}
		}
		return self::count( $words['units']['second'], $seconds );
	}
}
